//! What befalls a node: it is killed, stopped, suspended, shut down, cut off, or told the time late.

use chrono::TimeDelta;
use tokio::time::sleep;

use super::dice::Dice;
use super::node::Cluster;

/// One kind of misfortune.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// SIGKILL, and a start a while later.
    Kill,
    /// SIGSTOP and SIGCONT.
    Stop,
    /// The machine sleeps: its clock stands still, and lags until it is read again.
    Suspend,
    /// SIGTERM, and a start a while later.
    ShutDown,
    /// No way to the store.
    CutOff,
    /// The answers by which its clock is read are slow.
    Lag,
}

/// The misfortunes of one run.
pub(crate) struct Nemesis {
    blows: Vec<Blow>,
    /// In milliseconds: how long a node is left in peace at most, and the length of a lease.
    peace: u64,
    lease: u64,
}

impl Nemesis {
    /// Some runs know only some kinds, and a few know none.
    pub(crate) fn forecast(dice: &Dice, lease: u64) -> Self {
        let all = [Blow::Kill, Blow::Stop, Blow::Suspend, Blow::ShutDown, Blow::CutOff, Blow::Lag];
        let blows = all.into_iter().filter(|_| dice.chance(500)).collect();
        Self { blows, peace: dice.pick(&[8_000, 20_000, 40_000]), lease }
    }

    /// Haunts a node for ever.
    pub(crate) async fn haunt(&self, cluster: &Cluster, node: usize, dice: &Dice) {
        loop {
            sleep(dice.millis(1_000..=self.peace)).await;
            if cluster.node(node).is_some_and(|up| up.process.is_hung()) {
                self.strike(cluster, node, Blow::Kill, dice).await;
            } else if !self.blows.is_empty() {
                self.strike(cluster, node, dice.pick(&self.blows), dice).await;
            }
        }
    }

    /// Takes the store itself away now and then, from everybody.
    pub(crate) async fn black_out(&self, cluster: &Cluster, dice: &Dice) {
        loop {
            sleep(dice.millis(10_000..=90_000)).await;
            let cut_off = cluster.up();
            for node in &cut_off {
                node.process.go_away();
            }
            sleep(dice.millis(100..=self.lease * 3)).await;
            for node in &cut_off {
                node.process.come_back();
            }
        }
    }

    async fn strike(&self, cluster: &Cluster, node: usize, blow: Blow, dice: &Dice) {
        let Some(struck) = cluster.node(node) else { return };
        // As often shorter than a lease as longer.
        let long = dice.millis(100..=self.lease * 2);
        let in_time = TimeDelta::milliseconds(dice.pick(&[0, 3, 40]));
        match blow {
            Blow::Kill => {
                cluster.kill(node);
                sleep(long).await;
                cluster.start(node);
            }
            Blow::Stop => {
                struck.stop();
                sleep(long).await;
                struck.go_on(false);
            }
            Blow::Suspend => {
                struck.stop();
                sleep(long).await;
                struck.go_on(true);
                let longest = dice.pick(&[2_000, 10_000]);
                sleep(dice.millis(0..=longest)).await;
                struck.read_clock(in_time);
            }
            Blow::ShutDown => {
                cluster.shut_down(node).await;
                sleep(long).await;
                cluster.start(node);
            }
            Blow::CutOff => {
                struck.process.go_away();
                sleep(long).await;
                struck.process.come_back();
            }
            Blow::Lag => {
                struck.read_clock(TimeDelta::milliseconds(dice.pick(&[300, 1_500, 5_000])));
                sleep(long).await;
                struck.read_clock(in_time);
            }
        }
    }
}
