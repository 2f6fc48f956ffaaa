"""Every write of the app, each in one durable transaction of its own or within the caller's."""
