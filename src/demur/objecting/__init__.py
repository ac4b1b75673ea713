"""The whole life of an objection (Art. 21 GDPR): lodged, asked about, confirmed or denied, withdrawn, and told.

Invariants: portal, API, staff's pages and command line call what is here and add nothing to it, so that an objection
is recorded and told alike however it came; nothing here knows of HTTP or of a terminal.
"""
