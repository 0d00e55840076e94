//! Percentiles against sorted lists.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn percentiles_are_those_of_a_sorted_list(mut values in proptest::collection::vec(any::<u32>(), 1..300), percent in 0u64..=100) {
        let mut histogram = Histogram::default();
        values.iter().for_each(|&value| histogram.note(value));
        values.sort_unstable();
        let rank = (values.len() as u64 * percent).div_ceil(100).max(1);
        let exact = f64::from(values[usize::try_from(rank).unwrap() - 1]);
        let found = f64::from(histogram.percentile(percent).unwrap());
        prop_assert!(found <= exact && found >= exact * 0.96, "{found} for {exact}");
        prop_assert_eq!(histogram.max(), values.last().copied());
    }

    #[test]
    fn histograms_add_up_and_cross_a_pipe(left in proptest::collection::vec(any::<u32>(), 0..50), right in proptest::collection::vec(any::<u32>(), 0..50)) {
        let of = |values: &[u32]| {
            let mut histogram = Histogram::default();
            values.iter().for_each(|&value| histogram.note(value));
            histogram
        };
        let mut sum = of(&left);
        sum.add(&of(&right));
        prop_assert_eq!(&sum, &of(&[left.clone(), right.clone()].concat()));
        let text = serde_json::to_string(&sum).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Histogram>(&text).unwrap(), &sum);
        prop_assert_eq!(sum.since(&of(&left)).count(), right.len() as u64);
    }
}

#[test]
fn small_values_are_exact_and_nothing_is_nothing() {
    for value in 0..EXACT {
        assert_eq!(least(bucket(value)), value);
    }
    assert_eq!(bucket(u32::MAX), BUCKETS - 1);
    assert_eq!((Histogram::default().percentile(50), Histogram::default().max()), (None, None));
}
