"""How fast it is, as ratios: each figure stands beside a floor that the same run has measured."""
