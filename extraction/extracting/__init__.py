"""An extraction as a sequence of requests and answers: the next requests, and the outcome."""
