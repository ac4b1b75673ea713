"""A training by the Trainer of `transformers`, followed and put on record."""

import transformers as hf

from demur.training import Following, tracked

tokenizer, model = hf.AutoTokenizer.from_pretrained("base"), hf.AutoModelForCausalLM.from_pretrained("base")
collate = hf.DataCollatorForLanguageModeling(tokenizer, mlm=False)
arguments = hf.TrainingArguments("trained", max_steps=20, per_device_train_batch_size=8, report_to="none")
with tracked("community", "spring", run="by-trainer") as run:
    following = Following(run)
    rows = following.dataset(lambda row: tokenizer(row["text"], truncation=True, max_length=256))
    hf.Trainer(model, arguments, collate, rows, callbacks=[following]).train()
print(run.stopped or "It saw every row that may be used.")
