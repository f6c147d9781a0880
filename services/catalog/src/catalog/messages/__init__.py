"""The AMQP door of the catalog."""
