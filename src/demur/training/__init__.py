"""Train on a version and stay ready for the objection that comes after it; the one package that imports torch.

It can be imported without the extra ``train``: what needs torch lies in its modules.
"""
