"""A variational loop on durable jobs, beside the same loop on Aer alone, and killed in the middle and continued."""
