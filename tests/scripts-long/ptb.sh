#!/usr/bin/env bash
# The recurrent experiments of docs/experiments.md on real Penn Treebank below MIXOP_DATA: a search gets below the perplexity of
# word frequencies, a training of DARTS_V2 below 400.
set -euo pipefail
[ -n "${MIXOP_DATA:-}" ] || { echo "MIXOP_DATA names no folder with Penn Treebank" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$MIXOP" data describe ptb --json > "$folder/data.json"
"$MIXOP" search darts-ptb-search --strategy first_order --set space.width=64 --set search.batch=16 --set search.epochs=3 \
  --set data.bptt=20 --set data.train_limit=200000 --set weights.lr=6 --set weights.lr_min=3 --set darts_rnn.dropout=0.1 \
  --set darts_rnn.dropouth=0 --set darts_rnn.dropoutx=0.1 --set darts_rnn.dropouti=0 --out "$folder/ptb.h5"
"$MIXOP" inspect "$folder/ptb.h5" --json > "$folder/search.json"
"$MIXOP" train --genotype darts_rnn/DARTS_V2 darts-ptb-train --set space.width=100 --set train.epochs=2 \
  --set darts_rnn.dropout=0.2 --set darts_rnn.dropouth=0.1 --set darts_rnn.dropoutx=0.2 --set darts_rnn.dropouti=0.1 \
  --set darts_rnn.dropoute=0 --out "$folder/net.h5"
"$MIXOP" evaluate "$folder/net.h5" --split valid --batch 10 --json > "$folder/net.json"
cd "$folder"
exec "$MIXOP_PYTHON" -c '
import json, sys
words = json.load(open("data.json"))["unigram_perplexity"]["valid"]
search = json.load(open("search.json"))["epochs"][-1]["valid_perplexity"]
trained = json.load(open("net.json"))["perplexity"]
print(f"figure: valid perplexity {search:.2f} of the search, {trained:.2f} of the training; {words:.2f} of word frequencies")
sys.exit(not (search < words and trained < 400))'
