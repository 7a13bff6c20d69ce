"""Answers, line by line, whether the reference accepts a text. Input: JSON lines; output: one digit a line."""

import json
import re
import sys

import orjson
from aleph_message import models
from aleph_message.models.item_hash import ItemHash, ItemType

MODELS = {
    "AGGREGATE": models.AggregateContent,
    "FORGET": models.ForgetContent,
    "INSTANCE": models.InstanceContent,
    "POST": models.PostContent,
    "PROGRAM": models.ProgramContent,
    "STORE": models.StoreContent,
    "V-PROGRAM": models.VerifiableProgramContent,
}


def accepts(question: dict) -> bool:
    text = question["text"]
    if question["kind"] == "regex":
        re.compile(text)
    elif question["kind"] == "json":
        orjson.loads(text)
    elif question["kind"] == "hash":
        ItemHash(text)
    else:
        value = orjson.loads(text)
        content = MODELS[question["kind"]].model_validate(value)
        # Checked by the node beside the schema.
        if question["kind"] == "STORE" and content.item_hash.item_type != content.item_type:
            return False
    return True


for line in sys.stdin:
    try:
        answer = accepts(json.loads(line))
    except Exception:
        # Whatever is raised, the reference does not process such a message.
        answer = False
    print("1" if answer else "0")
