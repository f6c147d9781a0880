"""Every web and worker process of Deskledger on given PostgreSQL and RabbitMQ servers, under supervisord."""
