"""The exports of Instagram and Facebook: what they have in common, and the records of each as items."""
