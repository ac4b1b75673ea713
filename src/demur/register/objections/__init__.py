"""Objections: lodged, asked about, confirmed, lapsed, withdrawn, and read again."""
