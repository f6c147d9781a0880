"""Other people's messaging for the same job: confirmed publish, durable queue, one consumer process, no database."""
