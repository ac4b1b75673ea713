"""How the server meets its clients, whatever it serves: who may stay how long, how often, and with what headers."""
