"""The AMQP door of the members service."""
