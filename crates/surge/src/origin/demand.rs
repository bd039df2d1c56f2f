//! How much work one request is: its kind's mean, times what the dice say.

use super::class::Class;
use super::database::Queries;
use super::settings::OriginSettings;
use super::work::Demand;
use crate::dice::Dice;

impl Demand {
    /// What one request of `class` asks for.
    pub(super) fn draw(settings: &OriginSettings, class: Class, dice: &mut Dice) -> Self {
        let own = class.weight(settings.heavy)
            * settings.service.as_secs_f64()
            * settings.spread.draw(dice);
        let mut queries = Queries {
            work: 0.0,
            row: 0.0,
        };
        if let Some(database) = &settings.database
            && class.database_weight(settings.heavy) > 0.0
        {
            let mean = class.database_weight(settings.heavy) * database.service.as_secs_f64();
            queries.work = mean * settings.spread.draw(dice);
            if class == (Class::Post { last: true }) {
                queries.row = database.row.as_secs_f64() * dice.exponential();
            }
        }
        Self { own, queries }
    }
}
