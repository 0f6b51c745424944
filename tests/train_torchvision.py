"""Train a network of torchvision's on the images that a CSV (path,label) names, with nothing of this project.

python train_torchvision.py LABELS.csv OUT.pt [EPOCHS] [SEED] [ARCHITECTURE]
"""
# ruff: noqa: E402

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

for name, boxes in {"nms": "Tensor a, Tensor b, float c", "qnms": "Tensor a, Tensor b, float c"}.items():
    torch.library.define(f"torchvision::{name}", f"({boxes}) -> Tensor")  # a CPU-only torch has them not
from torchvision.models import get_model

table, out = Path(sys.argv[1]), Path(sys.argv[2])
epochs, seed = (int(sys.argv[k]) if len(sys.argv) > k else value for k, value in ((3, 20), (4, 0)))
torch.manual_seed(seed)
rows = list(csv.DictReader(table.open(encoding="utf-8")))
classes = sorted({row["label"] for row in rows})
images = np.stack([np.asarray(Image.open(table.parent / row["path"]).convert("RGB")) for row in rows])
mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
x = (torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - mean) / std
y = torch.tensor([classes.index(row["label"]) for row in rows])
name = sys.argv[5] if len(sys.argv) > 5 else "resnet18"
model, steps = get_model(name, num_classes=len(classes)), len(y) // 64
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=epochs * steps)
for ids in torch.cat([torch.randperm(len(y))[: steps * 64] for _ in range(epochs)]).split(64):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x[ids]), y[ids]).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
torch.save(model.state_dict(), out)
