"""The corpus of attacks every sandbox backend must hold against, its judge, and what was found here last.

`make doctor` runs it; attacks/ holds the cases as data.
"""
