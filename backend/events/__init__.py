"""The process that holds the streams of live updates: `python -m backend.events`.

It knows neither the database nor the marketplace: a web server tells it whom a token belongs to, and Valkey brings the
changes to pass on (`backend.core.events`).
"""
