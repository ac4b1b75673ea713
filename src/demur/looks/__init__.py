"""What pictures look like: hashes, windows and local features, by which a copy of a withheld person's picture is found.

:class:`demur.looks.copied.Copied` is what others ask. Everything here is pure, works on columns, and decodes nothing:
:mod:`demur.pictures` hands in luma and features. ADR 0055 says why it is done like this.
"""
