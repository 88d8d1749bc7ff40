"""The project: settings, addresses, the ASGI entry and the sign-up policy. The application is `conversations`."""
