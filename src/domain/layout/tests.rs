use proptest::prelude::*;

use super::*;

fn id(number: u128) -> TerminalId {
    format!("{number:032x}").parse().unwrap()
}

fn area(width: u16, height: u16) -> Rect {
    Rect::new(0, 0, width, height)
}

/// Draws the layout: each pane as its letter, dividers as box characters.
fn drawn(layout: &Layout, area: Rect) -> Vec<String> {
    let mut grid = vec![vec![' '; usize::from(area.width)]; usize::from(area.height)];
    let ids = layout.ids();
    for (pane, rect) in layout.rects(area) {
        let position = ids.iter().position(|other| *other == pane).unwrap();
        let letter = char::from(b'a' + u8::try_from(position).unwrap());
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                grid[usize::from(y - area.y)][usize::from(x - area.x)] = letter;
            }
        }
    }
    for cell in layout.divider_cells(area) {
        let arms = (cell.up, cell.down, cell.left, cell.right);
        grid[usize::from(cell.y - area.y)][usize::from(cell.x - area.x)] = match arms {
            (true, true, false, false) => '│',
            (false, false, true, true) => '─',
            (true, true, true, false) => '┤',
            (true, true, false, true) => '├',
            (true, false, true, true) => '┴',
            (false, true, true, true) => '┬',
            (true, true, true, true) => '┼',
            other => unreachable!("{other:?}"),
        };
    }
    grid.into_iter().map(String::from_iter).collect()
}

/// Four panes in a cross: a above c, b above d.
fn cross() -> Layout {
    let mut layout = Layout::new(id(1));
    assert!(layout.split(id(1), Axis::Horizontal, id(2)));
    assert!(layout.split(id(1), Axis::Vertical, id(3)));
    assert!(layout.split(id(2), Axis::Vertical, id(4)));
    layout
}

/// Three panes side by side, halved from the left.
fn row() -> Layout {
    let mut layout = Layout::new(id(1));
    assert!(layout.split(id(1), Axis::Horizontal, id(2)));
    assert!(layout.split(id(2), Axis::Horizontal, id(3)));
    layout
}

#[test]
fn a_lone_pane_has_the_whole_area() {
    let layout = Layout::new(id(1));
    assert_eq!(layout.rects(area(80, 24)), [(id(1), area(80, 24))]);
    assert_eq!(layout.divider_cells(area(80, 24)), []);
}

#[test]
fn dividers_join_where_they_meet() {
    let mut layout = cross();
    assert_eq!(
        drawn(&layout, area(9, 5)),
        [
            "aaaa│cccc",
            "aaaa│cccc",
            "────┼────",
            "bbbb│dddd",
            "bbbb│dddd"
        ]
    );
    assert_eq!(layout.remove(id(4)), Removal::Removed { heir: id(2) });
    assert_eq!(drawn(&layout, area(9, 5))[2], "────┤cccc");
    let mut layout = Layout::new(id(1));
    layout.split(id(1), Axis::Vertical, id(2));
    layout.split(id(1), Axis::Horizontal, id(3));
    assert_eq!(drawn(&layout, area(9, 5))[2], "────┴────");
    layout.split(id(2), Axis::Horizontal, id(4));
    assert_eq!(drawn(&layout, area(9, 5))[2], "────┼────");
    layout.remove(id(3));
    assert_eq!(drawn(&layout, area(9, 5))[2], "────┬────");
}

#[test]
fn splitting_halves_and_even_gives_all_the_same() {
    let mut layout = row();
    assert_eq!(drawn(&layout, area(23, 1)), ["aaaaaaaaaaa│bbbbb│ccccc"]);
    layout.even();
    assert_eq!(drawn(&layout, area(23, 1)), ["aaaaaaa│bbbbbbb│ccccccc"]);
}

#[test]
fn splitting_refuses_strangers_and_doubles() {
    let mut layout = Layout::new(id(1));
    assert!(!layout.split(id(7), Axis::Vertical, id(2)));
    assert!(!layout.split(id(1), Axis::Vertical, id(1)));
    assert_eq!(layout, Layout::new(id(1)));
}

#[test]
fn room_for_a_split_is_two_panes_and_a_divider() {
    let layout = Layout::new(id(1));
    assert!(layout.has_room(id(1), Axis::Horizontal, area(5, 2)));
    assert!(!layout.has_room(id(1), Axis::Horizontal, area(4, 2)));
    assert!(!layout.has_room(id(1), Axis::Horizontal, area(5, 1)));
    assert!(!layout.has_room(id(2), Axis::Horizontal, area(50, 50)));
}

#[test]
fn removing_tells_who_takes_the_room() {
    let mut layout = row();
    assert_eq!(layout.remove(id(9)), Removal::Unknown);
    assert_eq!(layout.remove(id(3)), Removal::Removed { heir: id(2) });
    assert_eq!(layout.remove(id(1)), Removal::Removed { heir: id(2) });
    assert_eq!(layout.remove(id(2)), Removal::Last);
    assert_eq!(layout, Layout::new(id(2)));
}

#[test]
fn focus_goes_to_the_neighbour_with_most_common_border_and_around_the_edge() {
    let mut layout = cross();
    let all = area(80, 24);
    let go = |layout: &Layout, from, side| layout.focus_neighbour(id(from), side, all);
    assert_eq!(go(&layout, 1, Side::Right), Some(id(2)));
    assert_eq!(go(&layout, 1, Side::Down), Some(id(3)));
    assert_eq!(go(&layout, 4, Side::Left), Some(id(3)));
    assert_eq!(go(&layout, 4, Side::Up), Some(id(2)));
    assert_eq!(go(&layout, 1, Side::Left), Some(id(2)), "around the edge");
    assert_eq!(go(&layout, 1, Side::Up), Some(id(3)), "around the edge");
    assert!(layout.move_border(id(1), Side::Down, 6, all));
    layout.remove(id(4));
    assert_eq!(go(&layout, 2, Side::Left), Some(id(1)), "the taller one");
    assert_eq!(go(&layout, 2, Side::Down), None);
    assert_eq!(go(&layout, 9, Side::Down), None);
}

#[test]
fn a_border_moves_alone() {
    let mut layout = row();
    assert!(layout.move_border(id(1), Side::Left, 3, area(23, 1)));
    assert_eq!(drawn(&layout, area(23, 1)), ["aaaaaaaa│bbbbbbbb│ccccc"]);
    assert!(layout.move_border(id(3), Side::Left, 1, area(23, 1)));
    assert_eq!(drawn(&layout, area(23, 1)), ["aaaaaaaa│bbbbbbb│cccccc"]);
    assert!(layout.move_border(id(1), Side::Right, 100, area(23, 1)));
    assert_eq!(drawn(&layout, area(23, 1)), ["aaaaaaaaaaaaaaaaa│bb│cc"]);
    assert!(!layout.move_border(id(1), Side::Right, 1, area(23, 1)));
    assert!(!layout.move_border(id(1), Side::Down, 1, area(23, 1)));
    assert!(!layout.move_border(id(9), Side::Right, 1, area(23, 1)));
}

#[test]
fn a_divider_is_dragged_as_far_as_it_goes() {
    let mut layout = row();
    let all = area(23, 4);
    assert_eq!(layout.drag_divider(all, (11, 2), (8, 3)), Some((8, 2)));
    assert_eq!(drawn(&layout, all)[0], "aaaaaaaa│bbbbbbbb│ccccc");
    assert_eq!(layout.drag_divider(all, (8, 2), (0, 2)), Some((2, 2)));
    assert_eq!(layout.drag_divider(all, (17, 0), (60, 0)), Some((20, 0)));
    assert_eq!(drawn(&layout, all)[0], "aa│bbbbbbbbbbbbbbbbb│cc");
    assert_eq!(layout.drag_divider(all, (0, 0), (5, 0)), None);
    assert_eq!(layout.drag_divider(all, (90, 90), (5, 0)), None);
}

#[test]
fn swapping_changes_places_alone() {
    let mut layout = row();
    assert!(layout.swap(id(1), id(3)));
    assert_eq!(layout.ids(), [id(3), id(2), id(1)]);
    assert!(!layout.swap(id(1), id(9)));
    assert_eq!(layout.next(id(1)), id(3));
    assert_eq!(layout.previous(id(3)), id(1));
    assert_eq!(layout.next(id(2)), id(1));
}

#[test]
fn shares_survive_a_smaller_window() {
    let mut layout = cross();
    layout.move_border(id(1), Side::Right, 10, area(81, 25));
    let before = layout.rects(area(81, 25));
    let _ = layout.rects(area(3, 1));
    assert_eq!(layout.rects(area(81, 25)), before);
}

#[derive(Clone, Debug)]
enum Step {
    Split(usize, bool),
    Remove(usize),
    Move(usize, u8, u16),
    Drag((u16, u16), (u16, u16)),
    Swap(usize, usize),
    Even,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<usize>(), any::<bool>()).prop_map(|(n, axis)| Step::Split(n, axis)),
        1 => any::<usize>().prop_map(Step::Remove),
        2 => (any::<usize>(), 0..4u8, 0..20u16).prop_map(|(n, side, by)| Step::Move(n, side, by)),
        1 => ((0..80u16, 0..30u16), (0..80u16, 0..30u16)).prop_map(|(a, b)| Step::Drag(a, b)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Step::Swap(a, b)),
        1 => Just(Step::Even),
    ]
}

fn side(number: u8) -> Side {
    [Side::Left, Side::Right, Side::Up, Side::Down][usize::from(number % 4)]
}

fn build(steps: &[Step], area: Rect) -> Layout {
    let mut layout = Layout::new(id(0));
    for (number, step) in steps.iter().enumerate() {
        let ids = layout.ids();
        let pick = |n: usize| ids[n % ids.len()];
        match *step {
            Step::Split(n, horizontal) => {
                let axis = if horizontal {
                    Axis::Horizontal
                } else {
                    Axis::Vertical
                };
                assert!(layout.split(pick(n), axis, id(number as u128 + 1)));
            }
            Step::Remove(n) => {
                let gone = pick(n);
                match layout.remove(gone) {
                    Removal::Removed { heir } => {
                        assert!(layout.contains(heir) && !layout.contains(gone));
                    }
                    other => assert_eq!((other, ids.len()), (Removal::Last, 1)),
                }
            }
            Step::Move(n, to, by) => {
                layout.move_border(pick(n), side(to), by, area);
            }
            Step::Drag(from, to) => {
                if let Some(at) = layout.drag_divider(area, from, to) {
                    assert!(layout.divider_at(area, at.0, at.1).is_some());
                }
            }
            Step::Swap(a, b) => assert!(layout.swap(pick(a), pick(b))),
            Step::Even => layout.even(),
        }
    }
    layout
}

proptest! {
    #[test]
    fn panes_and_dividers_cover_every_area_once(
        steps in prop::collection::vec(step(), 0..25),
        (x, y, width, height) in (0..5u16, 0..5u16, 0..90u16, 0..40u16),
    ) {
        let area = Rect::new(x, y, width, height);
        let layout = build(&steps, area);
        let mut covered = vec![0; usize::from(width) * usize::from(height)];
        let rects = layout.rects(area);
        let dividers: Vec<Rect> = layout.dividers(area).iter().map(|d| d.rect).collect();
        for rect in rects.iter().map(|(_, rect)| *rect).chain(dividers) {
            for row in rect.y..rect.bottom() {
                for col in rect.x..rect.right() {
                    prop_assert!(area.contains(col, row));
                    covered[usize::from(row - y) * usize::from(width) + usize::from(col - x)] += 1;
                }
            }
        }
        prop_assert!(covered.iter().all(|times| *times == 1));
        let mut ids: Vec<TerminalId> = rects.iter().map(|(id, _)| *id).collect();
        prop_assert_eq!(&ids, &layout.ids());
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), rects.len());
    }

    #[test]
    fn splitting_and_removing_again_changes_nothing(
        steps in prop::collection::vec(step(), 0..15),
        n in any::<usize>(),
        horizontal in any::<bool>(),
    ) {
        let layout = build(&steps, area(80, 30));
        let ids = layout.ids();
        let target = ids[n % ids.len()];
        let axis = if horizontal { Axis::Horizontal } else { Axis::Vertical };
        let mut changed = layout.clone();
        prop_assert!(changed.split(target, axis, id(999)));
        prop_assert_eq!(changed.remove(id(999)), Removal::Removed { heir: target });
        prop_assert_eq!(changed, layout);
    }

    #[test]
    fn the_least_size_holds_wherever_there_is_room_for_it(
        steps in prop::collection::vec(step(), 0..10),
        (width, height) in (40..200u16, 40..100u16),
    ) {
        let area = area(width, height);
        for (_, rect) in build(&steps, area).rects(area) {
            prop_assert!(rect.width >= 2 && rect.height >= 2, "{:?}", rect);
        }
    }

    #[test]
    fn going_somewhere_lands_on_another_pane(
        steps in prop::collection::vec(step(), 0..15),
        to in 0..4u8,
        (width, height) in (0..90u16, 0..40u16),
    ) {
        let area = area(width, height);
        let layout = build(&steps, area);
        for from in layout.ids() {
            if let Some(found) = layout.focus_neighbour(from, side(to), area) {
                prop_assert!(found != from && layout.contains(found));
            }
        }
    }

    #[test]
    fn a_moved_border_moves_by_what_was_asked_where_there_is_room(by in 1..5u16, rightwards in any::<bool>()) {
        let mut layout = row();
        let area = area(60, 10);
        let before = layout.rect_of(id(1), area).unwrap().width;
        let to = if rightwards { Side::Right } else { Side::Left };
        prop_assert!(layout.move_border(id(1), to, by, area));
        let after = layout.rect_of(id(1), area).unwrap().width;
        prop_assert_eq!(after.abs_diff(before), by);
    }
}

#[test]
fn focus_in_a_row_goes_to_the_next_one_and_not_past_it() {
    let layout = row();
    let go = |from, side| layout.focus_neighbour(id(from), side, area(30, 3));
    assert_eq!(go(1, Side::Right), Some(id(2)));
    assert_eq!(go(3, Side::Left), Some(id(2)));
    assert_eq!(go(3, Side::Right), Some(id(1)), "around the edge");
}

#[test]
fn a_cell_belongs_to_the_pane_that_covers_it_and_a_divider_to_none() {
    let layout = row();
    let all = area(11, 2);
    assert_eq!(drawn(&layout, all)[0], "aaaaa│bb│cc");
    let at = |x, y| layout.pane_at(all, x, y);
    assert_eq!(at(0, 0), Some(id(1)));
    assert_eq!(at(10, 1), Some(id(3)));
    assert_eq!(at(5, 0), None);
    assert_eq!(at(0, 2), None);
}

#[test]
fn the_first_half_gets_the_odd_cell_and_three_cells_are_enough_for_a_divider() {
    let mut layout = Layout::new(id(1));
    layout.split(id(1), Axis::Horizontal, id(2));
    assert_eq!(drawn(&layout, area(10, 1)), ["aaaaa│bbbb"]);
    assert_eq!(drawn(&layout, area(3, 1)), ["a│b"]);
    assert_eq!(drawn(&layout, area(2, 1)), ["aa"]);
}

#[test]
fn panes_above_each_other_count_as_one_where_a_row_is_evened() {
    let mut layout = Layout::new(id(1));
    layout.split(id(1), Axis::Horizontal, id(2));
    layout.split(id(2), Axis::Vertical, id(3));
    layout.move_border(id(1), Side::Right, 5, area(21, 3));
    layout.even();
    assert_eq!(drawn(&layout, area(21, 3))[0], "aaaaaaaaaa│bbbbbbbbbb");
}

#[test]
fn a_divider_moves_only_where_every_pane_keeps_its_least_size() {
    let mut pair = Layout::new(id(1));
    pair.split(id(1), Axis::Horizontal, id(2));
    let before = drawn(&pair, area(4, 1));
    assert_eq!(pair.drag_divider(area(4, 1), (2, 0), (0, 0)), Some((2, 0)));
    assert_eq!(drawn(&pair, area(4, 1)), before);
    let mut three = row();
    assert_eq!(drawn(&three, area(9, 1)), ["aaa│bb│cc"]);
    assert_eq!(three.drag_divider(area(9, 1), (3, 0), (0, 0)), Some((2, 0)));
    assert_eq!(drawn(&three, area(9, 1))[0].find('│'), Some(2));
}

#[test]
fn where_the_least_sizes_do_not_fit_each_side_keeps_a_cell() {
    let mut layout = Layout::new(id(1));
    layout.split(id(1), Axis::Horizontal, id(2));
    layout.drag_divider(area(40, 1), (20, 0), (39, 0));
    assert_eq!(drawn(&layout, area(4, 1)), ["aa│b"]);
}

#[test]
fn the_border_of_an_area_is_the_cells_around_it() {
    let rect = Rect::new(2, 3, 2, 1);
    let around = |x: u16, y: u16| rect.borders(x, y);
    let mut map = Vec::new();
    for y in 1..6 {
        map.push(
            (0..6)
                .map(|x| if around(x, y) { 'o' } else { '.' })
                .collect::<String>(),
        );
    }
    assert_eq!(map, ["......", ".oooo.", ".o..o.", ".oooo.", "......"]);
    assert!(!rect.is_empty());
    assert!(Rect::new(2, 3, 0, 1).is_empty() && Rect::new(2, 3, 2, 0).is_empty());
}

#[test]
fn a_layout_that_was_written_down_is_the_same_again() {
    let mut layout = Layout::new(id(1));
    layout.split(id(1), Axis::Horizontal, id(2));
    layout.split(id(2), Axis::Vertical, id(3));
    layout.move_border(id(1), Side::Right, 7, area(80, 24));
    let tree = layout.to_tree();
    assert_eq!(Layout::from_tree(&tree), Some(layout));
    let pane = || Box::new(LayoutTree::Pane(id(1)));
    let split = |part, whole, second| LayoutTree::Split {
        axis: Axis::Vertical,
        part,
        whole,
        first: pane(),
        second,
    };
    let other = || Box::new(LayoutTree::Pane(id(2)));
    assert!(Layout::from_tree(&split(1, 2, other())).is_some());
    assert_eq!(Layout::from_tree(&split(1, 2, pane())), None);
    for (part, whole) in [(0, 2), (2, 2), (1, 0), (1, u32::MAX)] {
        assert_eq!(Layout::from_tree(&split(part, whole, other())), None);
    }
}
