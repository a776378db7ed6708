"""The report: figures, charts and pictures of a project on one page. Import from the modules."""
