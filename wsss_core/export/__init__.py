"""What leaves the project: archives for VOC's server, label maps of any pictures. Import from the modules."""
