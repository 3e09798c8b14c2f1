//! An ordered map that counts, and that is cheap to copy.
//!
//! A B+ tree whose branches know how many entries each child holds, so that a position in the order is found
//! as fast as a key (`rank`), and whose nodes are shared: cloning the map copies one pointer, and a write
//! copies only the path it touches. List endpoints need the first (filter, count and page without scanning),
//! sandboxes and snapshots the second (copy-on-write over a shared scene). No maintained crate offers both.

use std::borrow::Borrow;
use std::ops::Range;
use std::sync::Arc;

/// Most entries in a leaf, and most children of a branch.
const NODE_MAX: usize = 64;
/// Nodes smaller than this are merged with a neighbour if the two fit together.
const NODE_MIN: usize = NODE_MAX / 4;
/// Fill of nodes built in bulk: room to grow without splitting at once.
const NODE_BULK: usize = NODE_MAX * 3 / 4;

/// An ordered map with order statistics and structural sharing.
#[derive(Debug, Clone)]
pub struct CountedMap<K, V> {
    root: Arc<Node<K, V>>,
}

#[derive(Debug, Clone)]
enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    Branch(Vec<Child<K, V>>),
}

#[derive(Debug, Clone)]
struct Child<K, V> {
    first: K,
    count: usize,
    node: Arc<Node<K, V>>,
}

impl<K, V> Default for CountedMap<K, V> {
    fn default() -> Self {
        Self { root: Arc::new(Node::Leaf(Vec::new())) }
    }
}

impl<K: Ord + Clone, V: Clone> CountedMap<K, V> {
    /// Builds the map from entries in strictly ascending key order.
    pub fn from_sorted(entries: Vec<(K, V)>) -> Self {
        debug_assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "entries ascend strictly");
        if entries.len() <= NODE_MAX {
            return Self { root: Arc::new(Node::Leaf(entries)) };
        }
        let mut level: Vec<Child<K, V>> =
            chunks(entries).map(|chunk| Child::over(Node::Leaf(chunk))).collect();
        while level.len() > NODE_MAX {
            level = chunks(level).map(|chunk| Child::over(Node::Branch(chunk))).collect();
        }
        Self { root: Arc::new(Node::Branch(level)) }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.root.count()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Branch(children) => node = &*children.get(child_of(children, key))?.node,
                Node::Leaf(entries) => {
                    let position = entries.binary_search_by(|(found, _)| found.borrow().cmp(key)).ok()?;
                    return entries.get(position).map(|(_, value)| value);
                }
            }
        }
    }

    /// Whether `key` is present.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// Number of entries whose key is smaller than `key`, which need not be present.
    pub fn rank<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        let mut node = &*self.root;
        let mut before = 0;
        loop {
            match node {
                Node::Leaf(entries) => {
                    return before + entries.partition_point(|(found, _)| found.borrow() < key);
                }
                Node::Branch(children) => {
                    let position = child_of(children, key);
                    before += children[..position].iter().map(|child| child.count).sum::<usize>();
                    node = &*children[position].node;
                }
            }
        }
    }

    /// The entries at these positions of the order, ascending. Positions beyond the end are left out.
    pub fn slice(&self, positions: Range<usize>) -> Vec<(&K, &V)> {
        let mut found = Vec::with_capacity(positions.len().min(self.len()));
        self.root.collect(positions, &mut found);
        found
    }

    /// All entries, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let mut stack = vec![(&*self.root, 0_usize)];
        std::iter::from_fn(move || {
            loop {
                let (node, position) = stack.last_mut()?;
                match node {
                    Node::Leaf(entries) => match entries.get(*position) {
                        Some((key, value)) => {
                            *position += 1;
                            return Some((key, value));
                        }
                        None => drop(stack.pop()),
                    },
                    Node::Branch(children) => match children.get(*position) {
                        Some(child) => {
                            *position += 1;
                            stack.push((&*child.node, 0));
                        }
                        None => drop(stack.pop()),
                    },
                }
            }
        })
    }

    /// The value of `key`, for changing it.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        // A miss must not copy the shared path.
        if !self.contains_key(key) {
            return None;
        }
        let mut node = Arc::make_mut(&mut self.root);
        loop {
            match node {
                Node::Branch(children) => {
                    let position = child_of(children, key);
                    node = Arc::make_mut(&mut children[position].node);
                }
                Node::Leaf(entries) => {
                    let position = entries.binary_search_by(|(found, _)| found.borrow().cmp(key)).ok()?;
                    return entries.get_mut(position).map(|(_, value)| value);
                }
            }
        }
    }

    /// Sets the value of `key` and returns the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let root = Arc::make_mut(&mut self.root);
        let previous = root.insert(key, value);
        if let Some(right) = root.split_if_full() {
            let left = std::mem::replace(root, Node::Leaf(Vec::new()));
            *root = Node::Branch(vec![Child::over(left), Child::over(right)]);
        }
        previous
    }

    /// Removes `key` and returns the value it had.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        // A miss must not copy the shared path.
        if !self.contains_key(key) {
            return None;
        }
        let removed = Arc::make_mut(&mut self.root).remove(key);
        while let Node::Branch(children) = &*self.root {
            match children.as_slice() {
                [] => self.root = Arc::new(Node::Leaf(Vec::new())),
                [only] => self.root = Arc::clone(&only.node),
                _ => break,
            }
        }
        removed
    }
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for CountedMap<K, V> {
    /// Collects in any order; of equal keys the last one stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<(K, V)> = entries.into_iter().collect();
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        entries.reverse();
        entries.dedup_by(|left, right| left.0 == right.0);
        entries.reverse();
        Self::from_sorted(entries)
    }
}

/// Cuts a list into pieces of nearly equal size, none above the bulk fill.
fn chunks<T>(list: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let pieces = list.len().div_ceil(NODE_BULK).max(1);
    let (size, longer) = (list.len() / pieces, list.len() % pieces);
    let mut rest = list.into_iter();
    (0..pieces).map(move |piece| rest.by_ref().take(size + usize::from(piece < longer)).collect())
}

/// The child whose range covers `key`.
fn child_of<K: Borrow<Q>, V, Q: Ord + ?Sized>(children: &[Child<K, V>], key: &Q) -> usize {
    children.partition_point(|child| child.first.borrow() <= key).saturating_sub(1)
}

impl<K: Ord + Clone, V: Clone> Child<K, V> {
    /// Wraps a node that is not empty.
    fn over(node: Node<K, V>) -> Self {
        Self { first: node.first().clone(), count: node.count(), node: Arc::new(node) }
    }

    fn refresh(&mut self) {
        self.count = self.node.count();
        if self.count > 0 {
            self.first = self.node.first().clone();
        }
    }
}

impl<K, V> Node<K, V> {
    fn count(&self) -> usize {
        match self {
            Self::Leaf(entries) => entries.len(),
            Self::Branch(children) => children.iter().map(|child| child.count).sum(),
        }
    }

    fn width(&self) -> usize {
        match self {
            Self::Leaf(entries) => entries.len(),
            Self::Branch(children) => children.len(),
        }
    }

    fn collect<'a>(&'a self, positions: Range<usize>, found: &mut Vec<(&'a K, &'a V)>) {
        match self {
            Self::Leaf(entries) => {
                let end = positions.end.min(entries.len());
                let start = positions.start.min(end);
                found.extend(entries[start..end].iter().map(|(key, value)| (key, value)));
            }
            Self::Branch(children) => {
                let mut before = 0;
                for child in children {
                    if before >= positions.end {
                        break;
                    }
                    let after = before + child.count;
                    if after > positions.start {
                        let start = positions.start.saturating_sub(before);
                        child.node.collect(start..positions.end - before, found);
                    }
                    before = after;
                }
            }
        }
    }
}

impl<K: Ord + Clone, V: Clone> Node<K, V> {
    fn first(&self) -> &K {
        match self {
            Self::Leaf(entries) => &entries[0].0,
            Self::Branch(children) => &children[0].first,
        }
    }

    fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self {
            Self::Leaf(entries) => match entries.binary_search_by(|(found, _)| found.cmp(&key)) {
                Ok(position) => Some(std::mem::replace(&mut entries[position].1, value)),
                Err(position) => {
                    entries.insert(position, (key, value));
                    None
                }
            },
            Self::Branch(children) => {
                let position = child_of(children, &key);
                let child = &mut children[position];
                let node = Arc::make_mut(&mut child.node);
                let previous = node.insert(key, value);
                let right = node.split_if_full();
                child.refresh();
                if let Some(right) = right {
                    children.insert(position + 1, Child::over(right));
                }
                previous
            }
        }
    }

    /// Keeps the left half and returns the right one, if the node has outgrown its size.
    fn split_if_full(&mut self) -> Option<Self> {
        match self {
            Self::Leaf(entries) if entries.len() > NODE_MAX => {
                Some(Self::Leaf(entries.split_off(entries.len() / 2)))
            }
            Self::Branch(children) if children.len() > NODE_MAX => {
                Some(Self::Branch(children.split_off(children.len() / 2)))
            }
            _ => None,
        }
    }

    fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Leaf(entries) => {
                let position = entries.binary_search_by(|(found, _)| found.borrow().cmp(key)).ok()?;
                Some(entries.remove(position).1)
            }
            Self::Branch(children) => {
                let position = child_of(children, key);
                let child = &mut children[position];
                let removed = Arc::make_mut(&mut child.node).remove(key)?;
                child.refresh();
                if child.count == 0 {
                    children.remove(position);
                } else if child.node.width() < NODE_MIN {
                    merge_neighbours(children, position);
                }
                Some(removed)
            }
        }
    }
}

/// Merges the small child at `position` with a neighbour, if the two fit into one node.
fn merge_neighbours<K: Ord + Clone, V: Clone>(children: &mut Vec<Child<K, V>>, position: usize) {
    let left = if position > 0 { position - 1 } else { position };
    let Some(right) = children.get(left + 1) else { return };
    if children[left].node.width() + right.node.width() > NODE_MAX {
        return;
    }
    let right = children.remove(left + 1);
    let target = &mut children[left];
    match (Arc::make_mut(&mut target.node), Arc::unwrap_or_clone(right.node)) {
        (Node::Leaf(entries), Node::Leaf(more)) => entries.extend(more),
        (Node::Branch(nodes), Node::Branch(more)) => nodes.extend(more),
        // All leaves lie at the same depth: splits and merges act on whole levels.
        (Node::Leaf(_), Node::Branch(_)) | (Node::Branch(_), Node::Leaf(_)) => {
            unreachable!("siblings have the same height")
        }
    }
    target.refresh();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::CountedMap;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u16, u8),
        Change(u16, u8),
        Remove(u16),
        RemoveRun(u16, u16),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0_u16..2000, any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
            1 => (0_u16..2000, any::<u8>()).prop_map(|(key, value)| Step::Change(key, value)),
            2 => (0_u16..2000).prop_map(Step::Remove),
            1 => (0_u16..2000, 1_u16..200).prop_map(|(key, run)| Step::RemoveRun(key, run)),
        ]
    }

    fn agrees(
        map: &CountedMap<u16, u8>,
        model: &BTreeMap<u16, u8>,
        probe: u16,
        range: std::ops::Range<usize>,
    ) {
        assert_eq!(map.len(), model.len());
        assert_eq!(map.rank(&probe), model.range(..probe).count());
        assert_eq!(map.get(&probe), model.get(&probe));
        let expected: Vec<(&u16, &u8)> = model.iter().skip(range.start).take(range.len()).collect();
        assert_eq!(map.slice(range), expected);
    }

    proptest! {
        #[test]
        fn behaves_like_a_btree_map(
            start in 0_usize..3000,
            steps in vec(step(), 0..400),
            probe in 0_u16..2100,
            from in 0_usize..2000,
            length in 0_usize..300,
        ) {
            let mut model: BTreeMap<u16, u8> = (0..start).map(|n| (u16::try_from(n % 2000).unwrap(), 7)).collect();
            let mut map = CountedMap::from_sorted(model.clone().into_iter().collect());
            let (before, model_before) = (map.clone(), model.clone());
            for step in steps {
                match step {
                    Step::Insert(key, value) => prop_assert_eq!(map.insert(key, value), model.insert(key, value)),
                    Step::Change(key, new) => {
                        prop_assert_eq!(map.get(&key), model.get(&key));
                        if let Some(value) = map.get_mut(&key) {
                            *value = new;
                            model.insert(key, new);
                        }
                    }
                    Step::Remove(key) => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                    Step::RemoveRun(key, run) => {
                        for key in key..key.saturating_add(run) {
                            prop_assert_eq!(map.remove(&key), model.remove(&key));
                        }
                    }
                }
            }
            agrees(&map, &model, probe, from..from + length);
            prop_assert_eq!(map.iter().collect::<Vec<_>>(), model.iter().collect::<Vec<_>>());
            // The copy made before the writes still shows what it showed.
            agrees(&before, &model_before, probe, from..from + length);
        }
    }

    #[test]
    fn collecting_keeps_the_last_of_equal_keys() {
        let map: CountedMap<u8, &str> = [(2, "b"), (1, "first"), (1, "last")].into_iter().collect();
        assert_eq!(map.iter().collect::<Vec<_>>(), [(&1, &"last"), (&2, &"b")]);
    }
}
