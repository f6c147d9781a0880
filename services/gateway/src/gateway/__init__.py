"""The one public door: authentication, routing, rate limits, compositions, the rehearsal clock, API documents."""
