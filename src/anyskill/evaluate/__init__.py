"""Did it do what the sentence says? Geometric tests, measures of motion, and a benchmark."""
