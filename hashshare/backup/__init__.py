"""Backing up a hub and bringing it back: the operator's commands, below `manage.py`.

- `names`, `description`, `sums`, `sealed_keys`: what a backup consists of, and what it says of itself.
- `tape`, `writers`, `readers`: the same files in a folder or in one tar.
- `database`: pg_dump and pg_restore.
- `making`, `checking`, `restoring`: the work, in this order.

    <backup>/database.dump        pg_dump's custom format, one moment of the database
    <backup>/objects/...          the segments and manifests that this moment names
    <backup>/SHA256SUMS           of the above, in the order in which they were written; `sha256sum -c` reads it
    <backup>/keys.sealed          the hub's keys under the passphrase
    <backup>/backup.json          what this is; written last
"""
