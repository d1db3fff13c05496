"""What the warehouse, the quality gate and the charts read and write."""
