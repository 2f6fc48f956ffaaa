"""An extraction as a sequence of requests and answers: what is asked, what an answer comes to, what is asked next."""
