"""`demur demo`: the whole loop on a synthetic community whose ground truth is known.

``loop.run`` tells the story and ``page.render`` the outcome; ``community`` makes the people and what they wrote,
``truth`` says independently of the corpus what must be left of it, and ``residual`` reads an export against that.
Nobody in it is real.
"""
