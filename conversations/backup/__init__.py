"""Back-up and its way back. Knows tables and files, nothing of what they mean.

An archive is a ZIP file: `rows/<table>.jsonl` (column names, then a line for each row, the same for every database),
`files/<path>` (pictures), `SHA256SUMS` (as `sha256sum -c` reads it) and `manifest.json` (format, migrations).
"""
