"""A training by a plain loop of PyTorch, followed and put on record."""

from torch.optim import AdamW
from transformers import AutoModelForCausalLM, AutoTokenizer

from demur.training import tracked

tokenizer, model = AutoTokenizer.from_pretrained("base"), AutoModelForCausalLM.from_pretrained("base")
optimizer = AdamW(model.parameters(), lr=1e-3)
with tracked("community", "spring", run="by-hand") as run:
    for rows in run.batches(8):
        tokens = tokenizer([row["text"] for row in rows], padding=True, truncation=True, return_tensors="pt")
        labels = tokens["input_ids"].masked_fill(tokens["attention_mask"] == 0, -100)
        model(**tokens, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
print(run.stopped or "It saw every row that may be used.")
