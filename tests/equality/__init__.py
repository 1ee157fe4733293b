"""Documents, reports and store keys of many logs, compared with those that an earlier commit gave."""
