"""Demo: small real trainings, healthy or faulty on purpose."""
