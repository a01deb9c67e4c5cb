//! Makes it happen: asks the playbook, journals, changes, reads back.
