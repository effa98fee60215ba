/** What every contender pays: the start and the end of a process. */
process.exit();
