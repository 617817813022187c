from __future__ import annotations

import struct

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.model_metrics import MessageError, decode
from tests.support.official_table import INCEPTION_LIKE, model_metrics, rows_of, varint

EVALUATION_FIELDS = (
    "current_epoch",
    "training_time",
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
)
FIGURES = EVALUATION_FIELDS[1:]


def message_classes():
    """The official message types, built with the protobuf package itself."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="t", syntax="proto2")
    entry = file.message_type.add(name="EvaluationData")
    optional, repeated = field.LABEL_OPTIONAL, field.LABEL_REPEATED
    for number, name in enumerate(EVALUATION_FIELDS, start=1):
        entry.field.add(name=name, number=number, type=field.TYPE_DOUBLE, label=optional)
    entry.field.add(name="checkpoint_path", number=6, type=field.TYPE_STRING, label=optional)
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=".t.EvaluationData",
        label=repeated,
    )
    metrics.field.add(name="trainable_parameters", number=2, type=field.TYPE_INT32, label=optional)
    metrics.field.add(name="total_time", number=3, type=field.TYPE_DOUBLE, label=optional)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.ModelMetrics"))


ModelMetrics = message_classes()


def decode_one(message: bytes) -> tuple[np.ndarray, int]:
    figures, parameters = decode(np.frombuffer(message, np.uint8)[None])
    return figures[0], int(parameters[0])


def expected(message) -> np.ndarray:
    return np.array(
        [[getattr(entry, name) for name in FIGURES] for entry in message.evaluation_data[1:]]
    )


doubles = st.none() | st.floats(allow_nan=False, width=64)
entries = st.fixed_dictionaries(
    dict.fromkeys(EVALUATION_FIELDS, doubles)
    | {"checkpoint_path": st.none() | st.text(max_size=200)}
)


@st.composite
def messages(draw):
    message = ModelMetrics()
    for _ in range(3):
        entry = message.evaluation_data.add()
        for name, value in draw(entries).items():
            if value is not None:
                setattr(entry, name, value)
    if (parameters := draw(st.none() | st.integers(-(2**31), 2**31 - 1))) is not None:
        message.trainable_parameters = parameters
    if draw(st.booleans()):
        message.total_time = draw(st.floats(0, 1e6))
    return message


@settings(deadline=None, max_examples=40)
@given(messages())
def test_agrees_with_the_protobuf_package(message):
    figures, parameters = decode_one(message.SerializeToString())
    np.testing.assert_array_equal(figures, expected(message))
    assert parameters == message.trainable_parameters


@settings(deadline=None, max_examples=40)
@given(st.lists(messages(), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_batch_is_decoded_like_its_members(batch, random):
    """Messages of one length but different layouts: padded by an unknown field to equal length."""
    batch = batch * 2
    random.shuffle(batch)
    texts = [message.SerializeToString() for message in batch]
    longest = max(map(len, texts)) + 4
    padded = []
    for text in texts:
        missing = longest - len(text)  # field 15 of bytes: tag, length in two bytes, content
        length = missing - 3
        padded.append(
            text + varint(15 << 3 | 2) + bytes([length & 0x7F | 0x80, length >> 7]) + bytes(length)
        )
    figures, parameters = decode(np.frombuffer(b"".join(padded), np.uint8).reshape(-1, longest))
    for index, message in enumerate(batch):
        np.testing.assert_array_equal(figures[index], expected(message))
        assert parameters[index] == message.trainable_parameters


def test_the_synthetic_writer_writes_what_protobuf_reads():
    row = rows_of(INCEPTION_LIKE, checkpoint_path="/models/a/model.ckpt-1")[1]
    message = ModelMetrics.FromString(model_metrics(row))
    assert message.trainable_parameters == 2_694_282
    assert [entry.checkpoint_path for entry in message.evaluation_data] == [
        "/models/a/model.ckpt-1"
    ] * 3
    for entry, evaluation in zip(message.evaluation_data, row.evaluations, strict=True):
        for name in EVALUATION_FIELDS:
            assert getattr(entry, name) == getattr(evaluation, name)


GOOD = model_metrics(rows_of(INCEPTION_LIKE)[0])
GROUP = varint(9 << 3 | 3) + varint(9 << 3 | 4)


@pytest.mark.parametrize(
    "unknown",
    [
        varint(9 << 3) + varint(2**64 - 1),
        varint(9 << 3 | 1) + bytes(8),
        varint(900 << 3 | 2) + varint(3) + b"abc",
        varint(9 << 3 | 5) + bytes(4),
        GROUP,
        varint(8 << 3 | 3) + GROUP + varint(1 << 3) + varint(5) + varint(8 << 3 | 4),
        varint(1 << 3) + varint(7),  # known number, unknown wire type
    ],
)
def test_unknown_fields_are_skipped(unknown):
    figures, parameters = decode_one(GOOD)
    for text in (unknown + GOOD, GOOD + unknown):
        again, same = decode_one(text)
        np.testing.assert_array_equal(again, figures)
        assert same == parameters == ModelMetrics.FromString(text).trainable_parameters


def test_the_last_occurrence_of_a_field_counts():
    entry = varint(2 << 3 | 1) + struct.pack("<d", 1.0) + varint(2 << 3 | 1) + struct.pack("<d", 2)
    text = (varint(1 << 3 | 2) + varint(len(entry)) + entry) * 3
    text += varint(2 << 3) + varint(5) + varint(2 << 3) + varint(6)
    figures, parameters = decode_one(text)
    assert figures[:, 0].tolist() == [2.0, 2.0]
    assert parameters == 6


@pytest.mark.parametrize("length", range(len(GOOD)))
def test_a_cut_message_is_refused_or_lacks_only_last_fields(length):
    """What protobuf refuses is refused; a cut between fields leaves a shorter valid message."""
    try:
        whole = ModelMetrics.FromString(GOOD[:length])
    except Exception:  # DecodeError's module differs between versions of the package
        whole = None
    if whole is None or len(whole.evaluation_data) != 3:
        with pytest.raises(MessageError):
            decode_one(GOOD[:length] if length else b"\x28\x00")
    else:
        np.testing.assert_array_equal(decode_one(GOOD[:length])[0], expected(whole))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD + varint(1 << 3 | 6), "wire type 6"),
        (GOOD + varint(5 << 3 | 4), "wire type 4"),
        (GOOD + b"\x00\x00", "field number 0"),
        (GOOD + b"\x28" + b"\xff" * 10 + b"\x01", "ten bytes"),
        (GOOD + varint(9 << 3 | 3), "end inside"),
        (GOOD + varint(9 << 3 | 3) * 200, "nested"),
        (GOOD * 2, "6 evaluations"),
        (varint(2 << 3) + varint(5), "0 evaluations"),
    ],
)
def test_malformed_messages_are_refused(text, reason):
    with pytest.raises(MessageError, match=reason):
        decode_one(text)


def test_the_error_names_the_first_bad_message():
    bad = GOOD[:-9] + varint(4 << 3 | 7) + bytes(8)
    assert len(bad) == len(GOOD)
    batch = np.frombuffer(GOOD + GOOD + bad + GOOD + bad, np.uint8).reshape(5, -1)
    with pytest.raises(MessageError) as info:
        decode(batch)
    assert info.value.index == 2
