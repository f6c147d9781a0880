def test_x(ours, theirs):
    print(ours.ids, ours.by_prefix)
