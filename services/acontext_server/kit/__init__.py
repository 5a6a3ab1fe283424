"""What every service stands on; it knows no service and no noun of theirs."""
