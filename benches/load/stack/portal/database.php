<?php

declare(strict_types=1);

/** The portal's database; each child of php-fpm keeps its connection. */
function database(): PDO
{
    return new PDO((string) getenv('PORTAL_DATABASE'), options: [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
        PDO::ATTR_PERSISTENT => true,
    ]);
}

/** Runs one statement. */
function query(PDO $database, string $sql, array $values = []): PDOStatement
{
    $statement = $database->prepare($sql);
    $statement->execute($values);
    return $statement;
}
