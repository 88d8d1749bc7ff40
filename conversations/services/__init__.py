"""The rules: plain functions that write, one module for each thing they are about."""
