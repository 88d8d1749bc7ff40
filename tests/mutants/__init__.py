"""`make mutants`: breaks the code that guards in small ways, one at a time, and counts how often a test notices.

groups.py    which tests fit which files
changes.py   the broken versions of a file
whole.py     the tests on the code as it is, then forks of that process with one function broken in each
seen.py      which test runs through which line: only those are tried on a change there, the quick ones first
trial.py     the forks; and those in which a file is loaded anew, for what is done only once, when it is loaded
child.py     the same for the process that reads pictures

A change that no test notices is named with its line: either a test is missing, or the change changes nothing.
"""
