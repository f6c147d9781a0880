"""The AMQP door of the payments service."""
