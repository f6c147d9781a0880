"""The AMQP door of invoicing."""
