//! Where the networks of a pipeline stand: teachers to the left of whom they teach, no two lines
//! crossing while each network has one teacher.

use crate::dag::Dag;

/// Where an item stands: its column from the left, and its top in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spot {
    pub column: usize,
    pub top: f64,
}

/// Places of `items` of `dag`, whose heights are `height`, with `gap` between two in a column; and
/// the height of the whole. Items that are not listed are left out.
///
/// An item stands one column right of its last parent, at the height of its first child; children
/// stand below one another, each branch as a band of its own.
pub(super) fn layout(
    dag: &Dag,
    items: &[usize],
    height: &dyn Fn(usize) -> f64,
    gap: f64,
) -> (Vec<Spot>, f64) {
    let mut listed = vec![false; dag.order().len()];
    items.iter().for_each(|&item| listed[item] = true);
    let listed = &listed;
    let mut spots = vec![Spot::default(); listed.len()];
    let order = || dag.order().iter().copied().filter(|&item| listed[item]);
    for item in order() {
        let above = dag.parents(item).iter().map(|&parent| spots[parent].column + 1);
        spots[item].column = above.max().unwrap_or(0);
    }
    // A band is as high as what stands in it: the item itself, or its children's bands. The children
    // of an item are those of which it is the first parent.
    let own = |item: usize| {
        let children = dag.children(item).iter().copied();
        children.filter(move |&child| listed[child] && dag.parents(child).first() == Some(&item))
    };
    let mut band = vec![0.0; listed.len()];
    let backwards: Vec<usize> = order().collect();
    for &item in backwards.iter().rev() {
        let children: f64 = own(item).map(|child| band[child]).sum();
        band[item] = children.max(height(item) + gap);
    }
    let mut next = 0.0;
    let roots: Vec<usize> = order().filter(|&item| dag.parents(item).is_empty()).collect();
    for root in roots {
        spots[root].top = next;
        next += band[root];
    }
    for item in order() {
        let mut top = spots[item].top;
        for child in own(item) {
            spots[child].top = top;
            top += band[child];
        }
    }
    (spots, (next - gap).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_bands_and_columns_are_depths() {
        // 0 teaches 1 and 2, 1 teaches 3 and 4; 5 is alone, 6 has two teachers.
        let parents = vec![vec![], vec![0], vec![0], vec![1], vec![1], vec![], vec![2, 3]];
        let dag = Dag::new(parents).unwrap();
        let all: Vec<usize> = (0..7).collect();
        let (spots, height) = layout(&dag, &all, &|_| 10.0, 2.0);
        let at = |item: usize| (spots[item].column, spots[item].top);
        assert_eq!([at(0), at(1), at(3), at(4)], [(0, 0.0), (1, 0.0), (2, 0.0), (2, 12.0)]);
        assert_eq!([at(2), at(6), at(5)], [(1, 24.0), (3, 24.0), (0, 36.0)]);
        assert_eq!(height, 46.0);
        let (spots, height) = layout(&dag, &[0, 5], &|item| 10.0 + item as f64, 2.0);
        assert_eq!((spots[5].top, height), (12.0, 27.0));
    }
}
