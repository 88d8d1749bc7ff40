"""`make mutants`: breaks the code that guards in small ways, one at a time, and counts how often a test notices.

`changes` makes the broken versions of a file, `trial` lets tests run on one, `groups` says which tests fit which files.
A change that no test notices is named with its line: either a test is missing, or the change changes nothing.
"""
