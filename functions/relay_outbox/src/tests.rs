use shared::{
    domain::VerificationId,
    testing::{MockStore, MockTaskQueue, unavailable, unpublished},
};

use crate::handler::{App, Report, handle};

fn ids(numbers: std::ops::Range<i64>) -> Vec<VerificationId> {
    numbers.map(VerificationId).collect()
}

/// A store with tasks that are due, ten at a time.
fn store_with(due: i64) -> MockStore {
    let mut store = MockStore::new();
    let mut next = 0_i64;
    store.expect_take_due_verifications().returning(move |limit| {
        assert_eq!(limit, 10);
        let first = next;
        next = next.saturating_add(limit).min(due);
        Ok(ids(first..next))
    });
    store
}

#[tokio::test]
async fn everything_that_is_due_is_published_in_batches() {
    let mut store = store_with(25);
    let mut marked = Vec::new();
    store.expect_mark_published().times(3).returning(move |ids| {
        marked.push(ids.len());
        assert!([vec![10], vec![10, 10], vec![10, 10, 5]].contains(&marked), "{marked:?}");
        Ok(())
    });
    store.expect_prune_verifications().once().returning(|| Ok(7));
    let mut queue = MockTaskQueue::new();
    queue.expect_publish().times(3).returning(|ids| Ok(ids.to_vec()));
    let app = App { store: Box::new(store), queue: Box::new(queue) };
    assert_eq!(handle(&app).await.unwrap(), Report { published: 25, pruned: 7 });
}

#[tokio::test]
async fn what_the_queue_refuses_is_not_marked() {
    let mut store = store_with(3);
    store
        .expect_mark_published()
        .once()
        .withf(|ids| ids == [VerificationId(0), VerificationId(2)])
        .returning(|_| Ok(()));
    store.expect_prune_verifications().returning(|| Ok(0));
    let mut queue = MockTaskQueue::new();
    queue.expect_publish().once().returning(|ids| Ok(vec![ids[0], ids[2]]));
    let app = App { store: Box::new(store), queue: Box::new(queue) };
    assert_eq!(handle(&app).await.unwrap(), Report { published: 2, pruned: 0 });
}

#[tokio::test]
async fn a_run_that_fails_says_so() {
    let mut queue = MockTaskQueue::new();
    queue.expect_publish().once().returning(|_| Err(unpublished()));
    let app = App { store: Box::new(store_with(3)), queue: Box::new(queue) };
    handle(&app).await.unwrap_err();

    let mut store = MockStore::new();
    store.expect_take_due_verifications().once().returning(|_| Err(unavailable()));
    let app = App { store: Box::new(store), queue: Box::new(MockTaskQueue::new()) };
    handle(&app).await.unwrap_err();

    // By then everybody's mail is on its way.
    let mut store = store_with(3);
    store.expect_mark_published().once().returning(|_| Ok(()));
    store.expect_prune_verifications().once().returning(|| Err(unavailable()));
    let mut queue = MockTaskQueue::new();
    queue.expect_publish().once().returning(|ids| Ok(ids.to_vec()));
    let app = App { store: Box::new(store), queue: Box::new(queue) };
    handle(&app).await.unwrap_err();
}
