"""The worker as a service of the system: one module for each service manager, behind `service.Service`."""
