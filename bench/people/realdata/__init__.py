"""Real data as the records that judge a finder: one loader for each data set, and one way to score them all.

The data stands outside the repository (see ``_real.shared``). What a reader decided about it is kept by place in
``bench/people/labels``. Other corpora judge the result: nothing is tuned on these.
"""
