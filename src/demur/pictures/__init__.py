"""Pictures of an export, read as what they are: files of strangers, for a decoder written in C.

:mod:`demur.pictures.reading` is what others call. What is read is written anew, upright and without anything but its
pixels; what forbids its use, and what can't be read, is told as one reason. docs/pictures.md is the page for people.
"""
