"""The AMQP door of the notifications service."""
