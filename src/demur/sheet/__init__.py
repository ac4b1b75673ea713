"""Sheets: one page that stands alone, with plots, for those who rather look than read; and the plots themselves.

Invariants: a sheet asks for nothing from anywhere, and a browser is told to fetch nothing; it runs no script; it reads
in light and in dark, on paper and by ear: each plot has its numbers in a table below it.
"""
