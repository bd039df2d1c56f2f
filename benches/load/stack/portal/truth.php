<?php

/**
 * `/__origin/stats`: what really happened, counted by the database; who is at
 * work, counted by php-fpm. Takes no child of the portal's.
 */

declare(strict_types=1);

require __DIR__ . '/database.php';

$counts = query(database(), <<<'SQL'
    SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM served) AS completed,
           (SELECT count(*) FROM session) AS sessions,
           (SELECT count(*) FROM handed_in) AS handed_in,
           (SELECT received FROM programme WHERE id = 1) AS forms,
           (SELECT coalesce(sum(posts - 1), 0)::bigint FROM handed_in) AS duplicates,
           (SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock') AS waiting_for_a_lock
    SQL)->fetch();
$children = json_decode((string) file_get_contents((string) getenv('PORTAL_CHILDREN')), true);

header('Content-Type: application/json');
header('Cache-Control: no-store');
echo json_encode($counts + [
    'children' => $children['total processes'] ?? null,
    'in_flight' => $children['active processes'] ?? null,
    'in_flight_max' => $children['max active processes'] ?? null,
    'accepted' => $children['accepted conn'] ?? null,
]), "\n";
