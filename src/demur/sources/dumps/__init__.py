"""Forums, mailing lists and networks whose archives are dumps: rows and files of one platform, written down whole."""
